"""Faster replacements for parts of the emulator moto, which give the same answers."""

import copy
from collections import defaultdict
from typing import Any

from moto.core import responses
from moto.core.model import StructureShape
from moto.core.serialize import AttributePickerContext, BaseJSONSerializer, XFormedAttributePicker
from moto.dynamodb.models.table import Table

_serialize_structure = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - the emulator's own


class _Picker(XFormedAttributePicker):
    """Looks up an attribute by its one name if the object has the wire format, which is five times faster."""

    def __call__(self, context: AttributePickerContext) -> Any:  # noqa: ANN401 - the emulator's
        """See the emulator's."""
        return context.obj.get(context.key) if type(context.obj) is dict else super().__call__(context)


def _serialize(
    self: BaseJSONSerializer, serialized: dict[str, Any], value: object, shape: StructureShape, key: str
) -> None:
    """Return a table's number or text unchanged: it is already serialized."""
    if key and shape.name == "AttributeValue" and type(value) is dict and not value.keys() & {"B", "BS", "L", "M"}:
        self._default_serialize(serialized, value, shape, key)
    else:
        _serialize_structure(self, serialized, value, shape, key)


def _copy_table(table: Table, _: object) -> Table:
    """Copy a table for a rollback; it shares the items, since our transactions change no existing item."""
    twin = copy.copy(table)
    twin.items = defaultdict(dict, {key: dict(items) for key, items in table.items.items()})
    return twin


def speed_up_moto() -> None:
    """Replace how moto writes responses, and how it copies a table's items for a transaction."""
    responses.XFormedAttributePicker = _Picker  # type: ignore[attr-defined] # the emulator's own
    BaseJSONSerializer._serialize_type_structure = _serialize  # type: ignore[assignment] # noqa: SLF001
    Table.__deepcopy__ = _copy_table  # type: ignore[attr-defined] # the emulator's own class
