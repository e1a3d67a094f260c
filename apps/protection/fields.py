"""Model fields encrypted in the database and plain in Python.

A value is sealed under the key of the row's holder (:class:`apps.protection.models.SealedRecord`) and
bound (as associated data) to holder, table, column and row: copied elsewhere, a ciphertext does not decrypt.
The row's id must be known before the row is written, so models with sealed fields have UUID keys.
Decryption happens on the first read of the attribute; a list that never shows a name never decrypts it.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.db import models
from django.db.models.lookups import IsNull

from apps.protection import keys
from apps.protection.models import SealedRecord


class Sealed(bytes):
    """A ciphertext as read from the database."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Sealed>"


class _DecryptOnRead:
    """Descriptor of a sealed field: decrypts on the first read."""

    def __init__(self, field: SealedField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, Sealed):
            value = instance.__dict__[name] = self.field.unseal(value, instance)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """Encrypted text; base class of the other sealed fields."""

    empty_strings_allowed = False
    python_default: Any = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _DecryptOnRead(self))

    def get_default(self) -> Any:
        return super().get_default() if self.has_default() else (None if self.null else self.python_default)

    def to_bytes(self, value: Any) -> bytes:
        """Serialise a value to plaintext."""
        return str(value).encode()

    def from_bytes(self, plaintext: bytes) -> Any:
        """Deserialise a value from plaintext."""
        return plaintext.decode()

    def unseal(self, value: Sealed, instance: models.Model) -> Any:
        """Decrypt a ciphertext read from this instance's row."""
        holder = self._holder(instance)
        return self.from_bytes(keys.open_sealed(holder, value, self.context(instance)))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Sealed):
            return value
        return self.sealed(value, model_instance)

    def sealed(self, value: Any, instance: models.Model) -> Sealed:
        """Encrypt a value for this instance's row."""
        return Sealed(keys.seal(self._holder(instance), self.to_bytes(value), self.context(instance)))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is sealed per row: use save() or bulk_create(), not update() or filter()")
        return super().get_db_prep_value(None if value is None else bytes(value), connection, prepared)

    def get_lookup(self, lookup_name: str) -> Any:
        return IsNull if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.name} is sealed: back up the database, not a dump of its values")

    def formfield(self, **kwargs: Any) -> Any:
        return None

    @staticmethod
    def _holder(instance: models.Model) -> str:
        if not isinstance(instance, SealedRecord):
            raise TypeError(f"{type(instance).__name__} has sealed fields: derive it from SealedRecord")
        return instance.key_holder

    def context(self, instance: models.Model) -> str:
        """Return the associated data that binds a value to its table, column and row."""
        if instance.pk is None:
            raise ValueError(f"{self.name} needs a row id before it can be sealed")
        return f"{self.model._meta.db_table}.{self.column}.{instance.pk}"


class SealedTextField(SealedField):
    """Text of any length."""


class SealedDateField(SealedField):
    """A ``datetime.date`` or None."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"null": True, **kwargs})

    def to_bytes(self, value: date) -> bytes:
        return value.isoformat().encode()

    def from_bytes(self, plaintext: bytes) -> date:
        return date.fromisoformat(plaintext.decode())


class SealedJSONField(SealedField):
    """A JSON object."""

    def get_default(self) -> Any:
        return {}

    def to_bytes(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def from_bytes(self, plaintext: bytes) -> Any:
        return json.loads(plaintext)
