"""The models that were asked for, fitted to every dimension that they suit."""

from collections.abc import Mapping, Sequence
from typing import Any

from ....study.errors import DataError, MissingPartError
from ..coefficients.table import RatingTable
from ..records import DimensionSummary
from ..settings import AgreementSettings, Model


def with_models(
    dimensions: Sequence[DimensionSummary], tables: Mapping[str, RatingTable], settings: AgreementSettings
) -> list[DimensionSummary]:
    """The dimensions, each with the models that it suits; a note where it does not.

    Args:
        dimensions: what is known of each.
        tables: by dimension; may hold the judge.
        settings: which models.
    Raises:
        DataError: a model suits no dimension.
        MissingPartError: its library is not installed.
    """
    out = list(dimensions)
    for model in settings.models:
        refused = []
        for i, d in enumerate(out):
            table = tables[d.name]
            people = table.only([g for g, rater in enumerate(table.raters) if rater != settings.judge])
            try:
                out[i] = d.model_copy(update=_fit(model, people, d.name, settings))
            except MissingPartError:
                raise
            except DataError as e:
                refused.append(e)
                out[i] = d.model_copy(update={"notes": (*d.notes, str(e))})
        if len(refused) == len(out):
            raise refused[0]
    return out


def _fit(model: Model, table: RatingTable, name: str, settings: AgreementSettings) -> dict[str, Any]:
    if model == "mixed":
        from .mixed import icc_rows

        return {"mixed": tuple(icc_rows(table, settings.confidence, name))}
    from .glmm import hierarchical

    return {"hierarchical": hierarchical(table)}
