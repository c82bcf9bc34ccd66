"""Images, and changes of images, as pictures."""

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor


def photograph(image: Float[Tensor, "c h w"]) -> Image.Image:
    """Pixels in [0, 1] as a picture; what lies beyond is cut off. Of other than 1 or 3 channels, their mean."""
    pixels = image.detach().cpu().float().clamp(0, 1)
    pixels = pixels if len(pixels) in (1, 3) else pixels.mean(0, keepdim=True)
    bytes_ = (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).expand(-1, -1, 3)
    return Image.fromarray(bytes_.contiguous().numpy())


def difference(change: Float[Tensor, "c h w"]) -> Image.Image:
    """A change of pixels around gray, its largest as white or black; colors as they change."""
    largest = float(change.detach().abs().max()) or 1.0
    return photograph(0.5 + change.detach() / (2 * largest))
