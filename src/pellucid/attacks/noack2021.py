"""The attacks of Noack et al. (2021): PGD with 40 steps, untargeted, from a random start, without restarts.

Under L2 their toolbox starts at a random image drawn back into the ball, so mostly on its surface. It also divided
gradients by the batch size and did not lengthen those below 1e-6, which weakens the attack on saturated networks;
that is not repeated here.
"""

from pellucid.attacks.pgd import PGD
from pellucid.norms import L2

MNIST_L2_WEAK = PGD(eps=1.5, steps=40, step=0.5 / 1.5, norm=L2(), start="image")
MNIST_L2_STRONG = PGD(eps=2.5, steps=40, step=1.2 / 2.5, norm=L2(), start="image")
MNIST_L2_VERY_STRONG = PGD(eps=3.5, steps=40, step=1.75 / 3.5, norm=L2(), start="image")
MNIST_LINF_WEAK = PGD(eps=0.1, steps=40, step=2.5 / 40)
MNIST_LINF_STRONG = PGD(eps=0.2, steps=40, step=2.5 / 40)
MNIST_LINF_VERY_STRONG = PGD(eps=0.25, steps=40, step=2.5 / 40)
MNIST_LINF_STRONGEST = PGD(eps=0.3, steps=40, step=2.5 / 40)
CIFAR_L2_WEAK = PGD(eps=80 / 255, steps=40, step=0.04 / (80 / 255), norm=L2(), start="image")
CIFAR_L2_STRONG = PGD(eps=320 / 255, steps=40, step=0.16 / (320 / 255), norm=L2(), start="image")
CIFAR_L2_TRAINING = PGD(eps=80 / 255, steps=7, step=0.1 / (80 / 255), norm=L2(), start="image")
CIFAR_LINF_WEAK = PGD(eps=4 / 255, steps=40, step=1 / 4)
CIFAR_LINF_STRONG = PGD(eps=8 / 255, steps=40, step=2 / 8)
