"""The command: `sgdyson`, or `python -m sgdyson`."""

from ._interrupt import expect_interrupts


def main() -> None:
    """Entry point, which is ready for Ctrl-C before it loads anything."""
    expect_interrupts()
    from .cli import main as command

    command()


if __name__ == "__main__":
    main()
