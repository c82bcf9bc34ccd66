"""What a person looks at: maps as pictures, and the page of an audit."""

from pellucid.reports.class_maps import write_class_maps as write_class_maps
from pellucid.reports.explanations import write as write
from pellucid.reports.neurons import write_top_images as write_top_images
from pellucid.reports.page import page as page
from pellucid.reports.page import tables as tables
from pellucid.reports.page import write_page as write_page
