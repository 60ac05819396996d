"""The shape that each tool's records have; what has another is refused with its place, never read by chance."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .....study.errors import DataError

Name = str | int
Label = str | int | float


class ToolRecord(BaseModel):
    """A record of an annotation tool: the keys that are read; others may stand beside them."""

    model_config = ConfigDict(extra="ignore", populate_by_name=False)


class ProdigyTask(ToolRecord):
    """A line of `db-out`."""

    answer: str
    accept: list[Label] | None = None
    options: list[dict[str, Any]] | None = None
    config: dict[str, Any] = {}
    label: Name | None = None
    spans: list[Any] | None = None
    annotator: Name | None = Field(default=None, alias="_annotator_id")
    session: Name | None = Field(default=None, alias="_session_id")
    input_hash: Name | None = Field(default=None, alias="_input_hash")
    timestamp: Label | None = Field(default=None, alias="_timestamp")


class PotatoRow(ToolRecord):
    """A line of `annotated_instances.jsonl`, or the state of a user."""

    id: Name | None = None
    instance_id: Name | None = None
    user: Name | None = None
    user_id: Name | None = None
    label_annotations: dict[str, dict[str, Any] | Label | None] | None = None
    instance_id_to_label_to_value: dict[str, dict[str, Any]] = {}
    instance_id_to_labeling_state: dict[str, dict[str, Any]] = {}
    instance_id_to_span_to_value: dict[str, Any] | None = None


class ArgillaResponse(ToolRecord):
    """What one user answered."""

    user_id: Name | None = None
    value: Any = None
    values: dict[str, Any] | None = None
    status: str | None = None


class ArgillaRecord(ToolRecord):
    """A record with the responses of its users."""

    id: Name | None = None
    external_id: Name | None = None
    responses: list[ArgillaResponse] | dict[str, list[ArgillaResponse] | None] | None = None


class DoccanoAnnotation(ToolRecord):
    """A label of a user."""

    user: Name
    label: Label | list[Any] | dict[str, Any] | None = None


class DoccanoExample(ToolRecord):
    """An example with its labels."""

    id: Name | None = None
    text: str | None = None
    annotations: list[DoccanoAnnotation] = []
    label: list[Any] | None = None
    labels: list[Any] | None = None
    cats: list[Any] | None = None


def check_shape(kind: type[ToolRecord], rows: Sequence[Mapping[str, Any]], name: str) -> None:
    """Every record has the shape of its kind.

    Raises:
        DataError: the first that has not, with the key.
    """
    for number, row in enumerate(rows, 1):
        try:
            kind.model_validate(row)
        except ValidationError as e:
            fault = e.errors()[0]
            key = ".".join(str(part) for part in fault["loc"][:2])
            raise DataError(
                f"{name}:{number}: {key}: {fault['msg'].lower()}; found {str(fault['input'])[:60]!r}. Mend or remove "
                "the record."
            ) from e


def item_names(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], name: str) -> list[str]:
    """What each record's item is called: by the first key that all records have; else they are counted.

    Raises:
        DataError: some records have a key, and one has not.
    """
    for key in keys:
        has = [row.get(key) is not None for row in rows]
        if all(has):
            return [str(row[key]) for row in rows]
        if any(has) and not any(all(row.get(k) is not None for row in rows) for k in keys):
            number = has.index(False) + 1
            raise DataError(
                f"{name}:{number}: no {key!r}, which other records have. Mend or remove the record."
            )
    return [f"record {number}" for number in range(1, len(rows) + 1)]


class LabelStudioTask(ToolRecord):
    """A task of an export."""

    id: Name | None = None
    data: dict[str, Any] | None = None
    annotations: list[Any] | None = None


class LabelStudioForm(ToolRecord):
    """A submitted annotation."""

    id: Name | None = None
    completed_by: Name | dict[str, Any] | None = None
    result: list[Any] | None = None
