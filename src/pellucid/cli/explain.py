"""`pellucid explain`."""

from dataclasses import replace
from pathlib import Path

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, check_names, explains, out_folder, words_of
from pellucid.subjects.asked import Asked


@click.command()
@asks(drawn="8, where no image files are named")
@click.argument("pictures", metavar="[IMAGE...]", nargs=-1, type=click.Path(path_type=Path))
@explains("smoothgrad")
@click.option("--of", default="predicted", show_default=True, metavar="CLASS[,CLASS]|predicted|runner-up|pair|all")
@assigns
@click.option("--shape", default="", metavar="C,H,W", help="What images the network takes, where no data tell.")
@click.option("--what", is_flag=True, help="Say which explainers apply to MODEL and what they take; draw nothing.")
@out_folder("explanations")
@as_json
@click.pass_context
def explain(
    context: click.Context,
    asked: Asked,
    pictures: tuple[Path, ...],
    explainers: str,
    of: str,
    assignments: tuple[str, ...],
    shape: str,
    what: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Explain what MODEL says of each IMAGE: a file, or a folder of them; without any, images of the data.

    MODEL is a run, a listed network, package.module:factory or a program file. An image of another size than the
    network takes is scaled until it just covers that, then cropped at its center. DIR gets a picture of each map, a
    contact sheet of all, and the numbers. With --what all explainers are tried on one image, or those of --explainer.
    """
    from pellucid.explainers import EXPLAINERS

    if what and context.get_parameter_source("explainers") is not click.core.ParameterSource.COMMANDLINE:
        explainers = ",".join(EXPLAINERS)
    check_names(EXPLAINERS, words_of(explainers))

    from pellucid import reports, subjects
    from pellucid.cli.screens import applicable, explained
    from pellucid.cli.screens.screen import Screen
    from pellucid.explainers import chosen

    methods = chosen(words_of(explainers), assignments)
    screen = Screen(quiet=as_json)
    if what and not pictures:
        asked = replace(asked, n=1)
    shown = subjects.shown(asked, pictures, shape=shape, report=screen.reading)
    screen.untrained([shown])
    if what:
        with screen.progress() as bar:
            tried = subjects.applicability(
                shown.model, shown.x, methods, train=shown.train, seed=asked.seed, watch=bar
            )
        found = {"model": shown.name, "untrained": shown.untrained, "image": shown.names[0]}
        found |= {"explainers": subjects.applicability_summary(tried)}
        print_json(found) if as_json else applicable.report(screen, found)
        return
    about = subjects.classes_asked(words_of(of), shown.classes)  # before anything is learned
    screen.foreseen(subjects.foreseen_in_words(subjects.cost_of_explaining(shown, about, methods)))
    screen.foreseen(subjects.maps_in_words(shown, about, methods))
    if not pictures and asked.n is None:
        explained.drawn(screen, len(shown.x), asked.split)
    with screen.progress() as bar:
        ready = {
            name: subjects.fitted(explainer, shown.model, shown.train, seed=asked.seed, watch=bar)
            for name, explainer in methods.items()
        }
        keeping = subjects.Keeping.of(out, shown, asked.seed)
        found = subjects.accounts(shown, about, ready, seed=asked.seed, keeping=keeping, watch=bar)
        content = reports.write(out, shown, found, ready, seed=asked.seed)
        keeping.done()
    print_json(content) if as_json else explained.report(screen, content)
