#!/bin/bash
# A Slurm array: each job does every n-th cell from its own. Submit it, then the report behind it:
#   job=$(sbatch --parsable --export=ALL,STUDY=study.toml,RUNS=/shared/runs slurm_array.sh)
#   sbatch --dependency=afterok:$job --wrap "wherefore run study.toml --runs /shared/runs"
# A job that was killed or timed out: submit the array again, it does what is left.
#SBATCH --job-name=wherefore
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --mem=16G
#SBATCH --time=08:00:00
##SBATCH --gres=gpu:1          # with a GPU a job, and workers = 1 in the study file
set -eu
export OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
# SLURM_ARRAY_TASK_COUNT counts the jobs of this submission, so submit the whole range again, not some of it.
exec wherefore train "$STUDY" --runs "$RUNS" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
