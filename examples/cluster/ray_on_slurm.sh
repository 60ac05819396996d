#!/bin/bash
# A Ray cluster inside one Slurm job: the head on the first node, a worker on each other, and wherefore beside the head.
#   sbatch --export=ALL,STUDY=ray.toml,RUNS=/shared/runs ray_on_slurm.sh
#SBATCH --job-name=wherefore
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
##SBATCH --gres=gpu:4          # and `gpus = 1` (or 0.25) in the study file
set -eu
export OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false RAY_USAGE_STATS_ENABLED=0
head=$(hostname)
export RAY_ADDRESS="$head:${PORT:-6379}"
trap 'kill $(jobs -p)' EXIT        # not `ray stop`, which ends every Ray of this user on the machine
# Nodes prove themselves by the token in ~/.ray, which they share with the home; older Rays have none.
export RAY_AUTH_MODE=token
ray get-auth-token --generate >/dev/null 2>&1 || unset RAY_AUTH_MODE
ray start --head --node-ip-address="$head" --port="${PORT:-6379}" --num-cpus="$SLURM_CPUS_PER_TASK" \
  --include-dashboard=false --disable-usage-stats --block &
until ray status >/dev/null 2>&1; do kill -0 $!; sleep 1; done
if [ "$SLURM_NNODES" -gt 1 ]; then
  srun --nodes=$((SLURM_NNODES - 1)) --exclude="$head" \
    ray start --address="$RAY_ADDRESS" --num-cpus="$SLURM_CPUS_PER_TASK" --disable-usage-stats --block &
fi
wherefore train "$STUDY" --runs "$RUNS"
