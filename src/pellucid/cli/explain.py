"""`pellucid explain`."""

from pathlib import Path

import click

from pellucid.cli.options import as_json, listed, of_network, out_folder, print_json, say_untrained


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("pictures", metavar="[IMAGE...]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--of", default="predicted", show_default=True, metavar="CLASS[,CLASS]|predicted|runner-up|pair|all")
@click.option("--method", "methods", default="smoothgrad", show_default=True, metavar="NAME[,NAME]")
@click.option("--set", "assignments", metavar="[NAME.]A=C", multiple=True, help="Any setting, e.g. lime.masks=5000.")
@click.option("--data", "source", metavar="NAME|PATH", help="Data the network is for.  [default: a run's own]")
@of_network
@click.option("--shape", default="", metavar="C,H,W", help="What images the network takes, where no data tell.")
@click.option("--split", "part", type=click.Choice(["test", "validation", "train", "all"]), default="test")
@click.option("--n", type=int, default=8, show_default=True, help="So many images of the data, where none are named.")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@out_folder("explanations")
@as_json
def explain(
    model: str,
    pictures: tuple[Path, ...],
    of: str,
    methods: str,
    assignments: tuple[str, ...],
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
    shape: str,
    part: str,
    n: int,
    seed: int,
    out: Path,
    device: str,
    download: bool,
    as_json: bool,
) -> None:
    """Explain what MODEL says of each IMAGE: a file, or a folder of them; without any, images of the data.

    MODEL is a run, a listed network, package.module:factory or a program file. An image of another size than the
    network takes is scaled until it just covers that, then cropped at its center. DIR gets a picture of each map, a
    contact sheet of all, and the numbers.
    """
    from pellucid import reports, runs
    from pellucid.console import Console
    from pellucid.console_explain import ExplainConsole
    from pellucid.explainers import chosen

    explainers = chosen(listed(methods), assignments)
    shown = runs.shown(
        model,
        pictures,
        source,
        weights=weights,
        options=options,
        shape=shape,
        part=part,
        n=n,
        seed=seed,
        device=device,
        download=download,
        report=Console(quiet=as_json).reading,
    )
    say_untrained(shown, as_json=as_json)
    about = runs.asked(listed(of), shown.classes)  # before anything is learned
    explainers = {
        name: runs.fitted(explainer, shown.model, shown.train, seed=seed) for name, explainer in explainers.items()
    }
    console = ExplainConsole(quiet=as_json)
    with console.progress() as watch:
        found = list(runs.accounts(shown.model, shown.x, about, explainers, seed=seed, watch=watch))
    content = reports.write(out, shown, found, explainers, seed=seed)
    print_json(content) if as_json else console.report(content)
