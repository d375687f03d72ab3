"""``polycite`` with the encoder of the tests: for servers that are to be up at once."""

from unittest import mock

from toy_encoder import ToyEncoder

from qa.cli import main

with mock.patch("qa.engine.open_encoder", lambda settings: ToyEncoder()):
    main()
