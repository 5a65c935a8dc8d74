"""What a catalogue's recipes are for, if they differ between targets."""

from __future__ import annotations

from quard.base.record import Record, record
from quard.boards.targets import known
from quard.boards.trees import Trees
from quard.target import OTHERS, Target, choosing


@record
class Variant(Record):
    """What a recipe is parsed for.

    target -- the board's, or the build machine's for a package that runs there; None: no board is
              chosen, and the first value of each ByTarget stands for it
    trees  -- those that have the targets which recipes may name
    """

    target: Target | None = None
    trees: Trees | None = None

    @property
    def name(self) -> str:
        """The target's triple; without a board the word for all targets."""
        return self.target.triple if self.target else OTHERS

    @property
    def stamp(self) -> bytes:
        """Everything that decides which value is chosen, and which words are refused."""
        chosen_by = self.target.chosen_by if self.target else ()
        return repr((chosen_by, sorted(self.words()))).encode()

    def words(self) -> frozenset[str]:
        """Return all words that choose a value; the folders of targets are listed."""
        return choosing(known(self.trees))
