"""How far a campaign is."""

from dataclasses import dataclass


@dataclass
class Tally:
    """Replicas that are finished, and in all, of each setting."""

    counts: list[int]
    totals: list[int]

    def add(self, setting: int, replicas: int) -> None:
        """More replicas of a setting are finished."""
        self.counts[setting] += replicas

    @property
    def settings(self) -> int:
        """Settings of which every replica is finished."""
        return sum(c >= t > 0 for c, t in zip(self.counts, self.totals, strict=True))

    def text(self) -> str:
        """Settings and replicas, done of all."""
        return (
            f"settings {self.settings}/{sum(t > 0 for t in self.totals)},"
            f" replicas {sum(self.counts)}/{sum(self.totals)}"
        )
