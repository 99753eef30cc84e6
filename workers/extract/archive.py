"""What is inside an archive? Its members, a part of them at a time, and their names as the archive's own words.

Names in an archive are only ever names: bytes go to numbered files in the scratch folder. Every stream is counted
while it is unpacked, since the sizes that an archive states may lie.
"""

from workers.extract import limits
from workers.extract.base import Extraction, Source
from workers.extract.members import Unpacking


def extract(source: Source) -> Extraction:
    # Each kind is loaded for its own files only: py7zr alone brings six libraries.
    unpacking = Unpacking(source)
    if source.media_type == "application/zip":
        from workers.extract import zip_archive

        zip_archive.unpack(source.path, unpacking)
    elif source.media_type == "application/x-7z-compressed":
        from workers.extract import seven_zip

        seven_zip.unpack(source.path, unpacking)
    else:
        from workers.extract import streams

        streams.unpack(source, unpacking)
    return unpacking.finish(most_names=limits.MAX_NAMES_LISTED)
