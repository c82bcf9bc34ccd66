"""Drawing an audit again in one call."""

from pathlib import Path

from pellucid.audits import AuditFolder
from pellucid.reports.draw import write_page
from pellucid.reports.figure_files import tables


def report(folder: str | Path) -> Path:
    """Draw the page and the tables of the audit in a folder again, and return the file of the page.

    Nothing is measured: neither a network nor images are read. A folder that holds no audit is an error.
    """
    audit = AuditFolder(Path(folder))
    tables(audit)
    return write_page(audit)
