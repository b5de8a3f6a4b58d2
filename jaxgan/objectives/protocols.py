"""Protocols of the parts that objectives are put together from."""

from __future__ import annotations

from typing import Any


def subclasses_have(*members: str) -> Any:
    """A ``__subclasshook__``: the classes that have these members are subclasses of a protocol.

    `issubclass` refuses protocols with members that are no methods, unless they bring a hook; and
    it is what command lines ask (tyro does) before they make flags of a part's fields.

    >>> from typing import ClassVar, Protocol, runtime_checkable
    >>> @runtime_checkable
    ... class Named(Protocol):
    ...     __subclasshook__ = subclasses_have("name")
    ...     name: ClassVar[str]
    >>> class Alice:
    ...     name = "Alice"
    >>> issubclass(Alice, Named), issubclass(int, Named)
    (True, False)

    Args:
        members: attributes of classes: methods, properties, ClassVars, fields with a default.
    """

    def hook(cls: type, other: type) -> bool:
        del cls
        return all(hasattr(other, member) for member in members)

    return classmethod(hook)
