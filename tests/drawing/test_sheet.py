import numpy
from PIL import Image

from pellucid.drawing import Cell, Sheet
from pellucid.drawing.sheet import enlarged


def test_small_pictures_grow_by_whole_pixels_and_keep_their_shape() -> None:
    tiny = Image.fromarray(numpy.array([[0, 255], [255, 0]], dtype=numpy.uint8))
    grown = numpy.array(enlarged(tiny, 160))
    assert grown.shape == (160, 160, 3)
    assert (grown[:80, :80] == 0).all() and (grown[80:, :80] == 255).all()
    wide = numpy.array(enlarged(Image.new("L", (20, 10), 0), 160))
    assert (wide[:40] == 255).all() and (wide[40:120] == 0).all() and (wide[120:] == 255).all()


def test_a_pixel_is_as_large_as_any_other() -> None:
    stripes = numpy.tile(numpy.array([[0, 255]], dtype=numpy.uint8), (28, 14))
    grown = numpy.array(enlarged(Image.fromarray(stripes), 160))[80, 10:150, 0]
    assert (grown.reshape(28, 5) == grown[::5, None]).all()


def test_large_pictures_shrink() -> None:
    assert enlarged(Image.new("RGB", (500, 300), "red"), 160).size == (160, 160)


def test_no_caption_is_cut() -> None:
    black = Image.new("L", (8, 8), 0)
    word = "a class with a name as long as names of classes come " * 2
    short = Sheet(["picture", "gradient"], [[Cell(black), Cell(black, ("1 = 2.5",))]]).drawn()
    long = Sheet(["picture", "gradient"], [[Cell(black), Cell(black, (word,))]], note="a note").drawn()
    assert long.width > short.width + 200
    assert long.height > short.height
    margin = numpy.array(long)[:, -8:]
    assert (margin == 255).all(), "the last letters end before the edge"


def test_each_line_of_a_note_is_drawn() -> None:
    cell = Cell(Image.new("L", (8, 8), 0))
    one, two = (
        Sheet(["x"], [[cell]], note="a").drawn(),
        Sheet(["x"], [[cell]], note="a\na longer second line").drawn(),
    )
    assert two.height == one.height + 20
    assert (numpy.array(two)[-15:, 40:] < 128).any(), "the last line lies inside"


def test_rows_are_as_tall_as_their_longest_caption() -> None:
    black = Image.new("L", (8, 8), 0)
    one, three = Cell(black, ("a",)), Cell(black, ("a", "b", "c"))
    low, high = Sheet(["x"], [[one]]).drawn(), Sheet(["x"], [[three]]).drawn()
    assert high.height == low.height + 2 * 20
    assert Sheet(["x"], [[one], [three]]).drawn().height > high.height


def test_the_same_sheet_has_the_same_bytes() -> None:
    cell = Cell(Image.new("L", (8, 8), 0), ("a",))
    assert Sheet(["x"], [[cell]]).drawn().tobytes() == Sheet(["x"], [[cell]]).drawn().tobytes()
