"""Drawing an audit again in one call."""

from pathlib import Path

from pellucid.audits import Audited, AuditFolder, reported


def report(folder: str | Path) -> Audited:
    """Draw the page and the tables of the audit in a folder again, and return what the audit came to.

    Nothing is measured: neither a network nor images are read. A folder that holds no audit is an error.
    """
    return reported(AuditFolder(Path(folder)))
