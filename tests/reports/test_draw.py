from pathlib import Path

import pytest

from audits.specimen import specimen
from pellucid.errors import MeasurementError
from pellucid.reports import report, write_page


def test_it_draws_the_page_and_the_tables_from_the_folder(tmp_path: Path) -> None:
    folder = specimen(tmp_path / "audit")
    expected = write_page(folder).read_text()
    (folder.path / "report.html").unlink()
    found = report(str(folder.path))
    assert found.page == folder.path / "report.html"
    assert found.page.read_text() == expected
    assert repr(found).startswith(f"Audited: {found.page}\n")
    assert "accuracy: 0." in repr(found)
    assert (folder.path / "figures.csv").is_file()


def test_a_folder_without_an_audit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="holds no audit"):
        report(tmp_path)
    assert not list(tmp_path.iterdir())
