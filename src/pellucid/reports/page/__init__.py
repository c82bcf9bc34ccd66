"""The page of an audit, and its figures as files."""

from pellucid.reports.page.draw import page as page
from pellucid.reports.page.draw import write_page as write_page
from pellucid.reports.page.tables import tables as tables
