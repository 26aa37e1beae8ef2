"""Makes a failing context small by leaving things out for as long as it still fails."""

from typing import Any, Callable, Iterator, List

from jsontext import Spelled, clone

SHORT = 12


def shrink(tree: Any, fails: Callable[[Any], bool], budget: int) -> Any:
    """The smallest context found within that many tries; each kept step still fails."""
    tries = 0
    progress = True
    while progress:
        progress = False
        position = 0
        while True:
            candidates = list(_candidates(tree))
            if position >= len(candidates):
                break
            if tries >= budget:
                return tree
            tries += 1
            candidate = candidates[position]()
            if fails(candidate):
                tree = candidate
                progress = True
            else:
                position += 1
    return tree


def _candidates(tree: Any) -> Iterator[Callable[[], Any]]:
    """Smaller variants: large parts first, so that most of the context goes in a few tries."""
    paths = sorted(_paths(tree, []), key=len)
    for path in paths:
        yield lambda path=path: _without(tree, path)
    for path in paths:
        for smaller in _smaller(_at(tree, path)):
            yield lambda path=path, smaller=smaller: _with(tree, path, smaller)


def _paths(node: Any, path: List[Any]) -> Iterator[List[Any]]:
    # Backwards, so that a list's later elements keep their places.
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in reversed(keys):
        yield path + [key]
        yield from _paths(node[key], path + [key])


def _smaller(value: Any) -> List[Any]:
    if isinstance(value, str) and len(value) > SHORT:
        return [value[: len(value) // 2], value[len(value) // 2 :], value[:-1]]
    if isinstance(value, int) and abs(value) > 10**SHORT:
        return [value // 10**6]
    if isinstance(value, (dict, list)) and value:
        return [None]
    if isinstance(value, Spelled) and value.text != "1.0":
        return [Spelled("1.0")]
    return []


def _at(tree: Any, path: List[Any]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _without(tree: Any, path: List[Any]) -> Any:
    copy = clone(tree)
    del _at(copy, path[:-1])[path[-1]]
    return copy


def _with(tree: Any, path: List[Any], value: Any) -> Any:
    copy = clone(tree)
    _at(copy, path[:-1])[path[-1]] = value
    return copy
