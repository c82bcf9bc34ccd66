"""What a person sees of a training and of its run."""

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from pellucid import config
from pellucid.cli.screens.screen import Screen
from pellucid.data import Data
from pellucid.errors import count_of
from pellucid.ledger import Progress
from pellucid.printable import printable
from pellucid.runs import Event, Finished, RunFolder, Spec, Teaching, test_accuracy
from pellucid.train import Epoch, Resumed, Step

COLLAPSED = (
    "warning: robust accuracy has collapsed against its best so far: training has overfitted to its own attack; "
    "lower its eps, or give it more steps"
)


def begin(screen: Screen, spec: Spec, images: Data, folder: RunFolder) -> None:
    """Say what is about to happen."""
    what = printable(f": {spec.model.name} on {images.name}, {count_of(len(images.train), 'image')}")
    screen.err.print(Text.assemble((printable(spec.method), "bold"), what))
    screen.err.print(printable(f"run: {folder.path}"))
    if images.skipped:
        skipped = ", ".join(images.skipped[:5])
        screen.err.print(
            printable(f"left out {count_of(len(images.skipped), 'image')} that cannot be read: {skipped}")
        )


def watcher(screen: Screen, bar: Callable[[Progress], None]) -> Callable[[Event], None]:
    """What hears of a training: the bar goes over all steps, and there is a line for each epoch."""

    def watch(event: Event) -> None:
        match event:
            case Step():
                bar(Progress("training", event.step, event.steps, f"epoch {event.epoch}"))
            case Epoch():
                screen.err.print(str(event))
                if event.overfitted:
                    screen.err.print(COLLAPSED, style="bold yellow")
            case Resumed():
                for reason in event.rejected:
                    screen.err.print(printable(reason), style="yellow")
                screen.err.print(f"going on after epoch {len(event.history)}")
            case Teaching():
                screen.err.print(printable(f"its teacher first: {event.folder.path}"))
            case Progress():
                bar(event)
            case Finished():
                pass

    return watch


def end(screen: Screen, folder: RunFolder) -> None:
    """The result as a table, and where it lies."""
    test = test_accuracy(folder)
    table = Table("measure", "value", "95 % interval", "images", title="test images")
    table.add_row("accuracy", f"{test.value:.4f}", f"{test.low:.4f} to {test.high:.4f}", str(test.n))
    screen.out.print(table)
    screen.out.print(printable(f"weights, settings and epochs: {folder.path}"))


def report(screen: Screen, folder: RunFolder) -> None:
    """A run in full."""
    screen.out.print(config.toml(folder.settings()))
    for epoch in folder.epochs():
        screen.out.print(str(epoch))
    if folder.complete:
        end(screen, folder)
    else:
        screen.out.print("this run is not complete; the command that began it goes on with it")
