"""What checks annotations while tests run: an int will do where a float is asked for, as type checkers hold."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
