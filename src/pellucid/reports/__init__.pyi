from .class_maps import write_class_maps as write_class_maps
from .draw import page as page
from .draw import report as report
from .draw import write_page as write_page
from .explanations import write as write
from .figure_files import tables as tables
from .neurons import write_top_images as write_top_images
from .studied import write_study as write_study
