import pellucid.registry

from .augmentation import Augmentation as Augmentation
from .class_map import read_map as read_map
from .columns import column_from as column_from
from .datasets import Data as Data
from .datasets import Decoding as Decoding
from .datasets import Loader as Loader
from .datasets import Request as Request
from .download import Report as Report
from .download import silent as silent
from .flip import Flip as Flip
from .folder import can_be_divided as can_be_divided
from .folder import places_of as places_of
from .folder_list import read_folders as read_folders
from .for_network import load_for as load_for
from .for_network import relabeled_for as relabeled_for
from .for_network import relabeled_parts as relabeled_parts
from .hugging_face import HUGGING_FACE as HUGGING_FACE
from .hugging_face import hugging_face_parts as hugging_face_parts
from .loading import has_class_folders as has_class_folders
from .loading import load as load
from .pad_crop import PadCrop as PadCrop
from .picture_files import Pictures as Pictures
from .picture_files import pictures as pictures
from .random_resized_crop import RandomResizedCrop as RandomResizedCrop
from .relabeled import with_random_labels as with_random_labels
from .split import Split as Split
from .split import few_of_each as few_of_each
from .split import holdout as holdout
from .split import sample as sample
from .split import sequential as sequential
from .split import statistics as statistics
from .streamed import StreamedSplit as StreamedSplit
from .tensors import TensorSplit as TensorSplit
from .unlabeled import is_flat as is_flat
from .unlabeled import load_unlabeled as load_unlabeled

DATA: pellucid.registry.Registry[Loader]

AUGMENTATIONS: pellucid.registry.Registry[type[Augmentation]]
