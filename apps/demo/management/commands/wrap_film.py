"""``manage.py wrap_film``: convert a greyscale PNG or JPEG to a DICOM file, for trying out the site."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from PIL import Image

from apps.synthetic.dicom_image import FilmDescription, wrap_film


class Command(BaseCommand):
    help = "Wrap a greyscale PNG or JPEG as a Digital X-Ray (DX) DICOM file of a frontal chest radiograph."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("picture", type=Path)
        parser.add_argument("out", type=Path)
        parser.add_argument("--mrn", required=True)
        parser.add_argument("--name", default="", help="family^given")
        parser.add_argument("--birth-date", type=date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument("--sex", choices=["F", "M", "O"], default="O")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Image.open(options["picture"], formats=["PNG", "JPEG"]) as image:
                pixels = np.asarray(image.convert("L"))
        except OSError as error:
            raise CommandError(f"{options['picture']} is not a PNG or JPEG: {error}") from error
        film = FilmDescription(
            mrn=options["mrn"],
            name=options["name"],
            birth_date=options["birth_date"],
            sex=options["sex"],
            study_date=date.today(),
            accession_number="",
            identity=[options["mrn"], options["picture"].name, pixels.tobytes().hex()[:4096]],
        )
        options["out"].write_bytes(wrap_film(pixels, film, bits=8))
        self.stdout.write(f"wrote {options['out']}")
