"""A small shop: the demo's sample project."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    name: str
    price: float
    quantity: int = 1


def total(items: list[Item]) -> float:
    """What the items cost together."""
    result = 0.0
    for item in items:
        result = result + item.price * item.quantity
    return result


def duplicates(items: list[Item]) -> list[str]:
    """The names that occur more than once."""
    found = []
    # claude: why is this slow?
    for item in items:
        if [other.name for other in items].count(item.name) > 1 and item.name not in found:
            found.append(item.name)
    return found
