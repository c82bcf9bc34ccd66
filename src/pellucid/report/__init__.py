"""What a person looks at: maps as pictures, and the page of an audit."""

from pellucid.report.class_maps import write_class_maps as write_class_maps
from pellucid.report.explanations import write as write
from pellucid.report.neurons import write_top_images as write_top_images
from pellucid.report.page import page as page
from pellucid.report.page import tables as tables
from pellucid.report.page import write_page as write_page
