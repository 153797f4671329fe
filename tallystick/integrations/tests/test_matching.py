"""Whose a record there is: never guessed between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.integrations.matching import Clues, Known, Match, Object, judged

OBJECTS = st.sampled_from([("accounts.Account", str(number)) for number in range(4)])
VALUES = st.sampled_from(["a", "b"])
BY = ["key", "local_id", "code", "email"]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Clues, Known]:
    """A record, and what is known of what it goes by."""
    clues = Clues(
        remote_id="r",
        kind=draw(st.sampled_from(["contacts", "products"])),
        values=draw(st.dictionaries(st.sampled_from(BY), VALUES)),
        is_active=draw(st.booleans()),
    )
    places = st.tuples(st.sampled_from(BY), VALUES)
    objects: Mapping[tuple[str, str], Sequence[Object]] = draw(
        st.dictionaries(places, st.lists(OBJECTS, min_size=1, max_size=3, unique=True))
    )
    return clues, Known(
        links={"r": (1, draw(OBJECTS))} if draw(st.booleans()) else {},
        objects=objects,
        taken=draw(st.sets(OBJECTS)),
        sharing=draw(st.dictionaries(VALUES, st.integers(0, 3))),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_a_proposal_is_one_that_is_free_and_fits(world: tuple[Clues, Known]) -> None:
    clues, known = world
    verdict = judged(clues, known)
    assert verdict.reason
    if clues.remote_id in known.links:
        assert (verdict.match, verdict.link) == (Match.MATCHED, 1)
        return
    assert verdict.match in {Match.PROPOSED, Match.UNMATCHED}
    if verdict.match is not Match.PROPOSED:
        assert not verdict.is_certain
        return
    (chosen,) = verdict.candidates
    fitting = [
        by for by, value in clues.values.items() if chosen in known.objects.get((by, value), ())
    ]
    assert fitting
    assert chosen not in known.taken
    assert verdict.is_certain == (clues.kind == "products" or "key" in fitting)
    rivals = {obj for by in fitting for obj in known.objects[by, clues.values[by]]}
    if clues.kind == "contacts" and "key" not in fitting:
        assert rivals == {chosen}
        assert clues.is_active


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), OBJECTS)
def test_a_second_that_fits_ends_a_likely_proposal(
    world: tuple[Clues, Known], other: Object
) -> None:
    clues, known = world
    verdict = judged(clues, known)
    if verdict.match is not Match.PROPOSED or verdict.is_certain or other in verdict.candidates:
        return
    more = {("email", clues.values.get("email", "a")): [*verdict.candidates, other]}
    doubted = Known(known.links, {**known.objects, **more}, known.taken, known.sharing)
    clues = Clues("r", clues.kind, {**clues.values, "email": clues.values.get("email", "a")})
    assert judged(clues, doubted).match is Match.UNMATCHED
