"""The page of an audit, and its figures as files."""

from pellucid.report.page.draw import page as page
from pellucid.report.page.draw import write_page as write_page
from pellucid.report.page.tables import tables as tables
