"""What is inside an archive? Its members, a part of them at a time, and their names as the archive's own words.

Names in an archive are only ever names: bytes go to numbered files in the scratch folder. Every stream is counted
while it is unpacked, since the sizes that an archive states may lie.
"""

from workers.extract import limits
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.members import Unpacking


def extract(source: Source) -> Extraction:
    if source.path.stat().st_size == 0:
        raise ExtractionError("empty_file")
    assembly = Assembly(source.scratch)
    unpacking = Unpacking(source, assembly)
    _unpack(source, unpacking)
    return listing(source, assembly, unpacking)


def _unpack(source: Source, unpacking: Unpacking) -> None:
    # Each kind is loaded for its own files only: py7zr alone brings six libraries.
    if source.media_type == "application/zip":
        from workers.extract import zip_archive

        zip_archive.unpack(source.path, unpacking)
    elif source.media_type == "application/x-7z-compressed":
        from workers.extract import seven_zip

        seven_zip.unpack(source, unpacking)
    else:
        from workers.extract import streams

        streams.unpack(source, unpacking)


def listing(source: Source, assembly: Assembly, unpacking: Unpacking) -> Extraction:
    """The members of this part. The first part also tells all their names: by them the container is found."""
    if source.part:
        return Extraction(members=unpacking.members, parts=unpacking.parts)
    if not unpacking.names:
        raise ExtractionError("no_content")
    for name in unpacking.names[: limits.MAX_NAMES_LISTED]:
        assembly.add(name, "list")
    told = assembly.finish()
    return Extraction(
        blocks=told.blocks,
        members=unpacking.members,
        warnings=told.warnings,
        metadata={"members": str(len(unpacking.names))},
        parts=unpacking.parts,
    )
