"""How much may a file cost? Every cap on reading untrusted files, with its reason; nothing else sets one."""

from dataclasses import dataclass

_KIB = 1024
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child that reads one part of one file may use. Exceeding one ends that part by name."""

    # Ten scanned pages at 3 s each are 30 s alone on a core; a busy host takes several times as long.
    wall_s: float = 240
    # One thread cannot use more than its wall time; less, so that waiting for a busy host is not counted.
    cpu_s: int = 180
    # Address space, not resident memory: the interpreter with the OCR models maps 0.4 GiB before it reads a
    # byte, and MAX_PIXELS at four bytes each are another 0.6, once decoded and once being rotated.
    memory_bytes: int = 2048 * _MIB
    # One picture written by a parser: far above any normalised one, far below a disk.
    file_bytes: int = 128 * _MIB
    # All that a part leaves in its scratch folder: ten pages and MAX_FIGURES figures fit several times.
    scratch_bytes: int = 512 * _MIB
    scratch_files: int = 2000
    # The answer itself: MAX_TEXT_CHARACTERS in three UTF-8 bytes each, with boxes and markup.
    result_bytes: int = 64 * _MIB
    # The file, the answer, fonts and a picture being written; a leak shows quickly.
    open_files: int = 64


DEFAULT = Limits()
# Archives and mailboxes: a part unpacks MEMBER_BYTES_PER_PART, or one file of MAX_ARCHIVE_FILE_BYTES, after
# reading past what came before it in the stream. bzip2, the slowest, gives 30 MB/s on a core:
# MAX_ARCHIVE_BYTES in 140 s.
ARCHIVE = Limits(wall_s=600, cpu_s=400, file_bytes=1024 * _MIB, scratch_bytes=1536 * _MIB, scratch_files=1000)
# Five minutes of full HD are a minute or two of decoding, and then MAX_OCR_SHOTS keyframes are read. On a machine
# with six times the work that it has cores for, the first of twelve took 400 s by the clock.
RECORDING = Limits(wall_s=1200, cpu_s=360)
# Twenty megabytes of text are read in seconds; nesting made to cost the square of its depth must not hold a
# worker for minutes.
TEXT = Limits(wall_s=90, cpu_s=60)


# Media types of files that hold other files.
ARCHIVES = frozenset(
    f"application/{name}"
    for name in ["zip", "x-tar", "gzip", "x-bzip2", "x-xz", "zstd", "x-7z-compressed", "mbox"]
)


def limits_of(media_type: str) -> Limits:
    if media_type in ARCHIVES:
        return ARCHIVE
    if media_type.startswith(("video/", "audio/")):
        return RECORDING
    return TEXT if media_type.startswith("text/") else DEFAULT


# --- Text -----------------------------------------------------------------------------------------
# A thousand-page book has two to three million characters. Above this it is a log or a dump.
MAX_TEXT_CHARACTERS = 5_000_000
# Read from a plain-text, Markdown, reStructuredText or HTML file: MAX_TEXT_CHARACTERS in UTF-8 Chinese or
# UTF-32.
MAX_TEXT_BYTES = 20 * _MIB
# Blocks of one part, so that a file of a million one-letter paragraphs is bounded too.
MAX_BLOCKS = 100_000
# Elements in an HTML tree: a megabyte of "<b>" becomes a tree of a hundred megabytes, and no page has so
# many.
MAX_HTML_NODES = 1_000_000

# --- Pictures -------------------------------------------------------------------------------------
# Width × height in the header, checked before decoding. 108-megapixel phone pictures pass; four bytes a
# pixel.
MAX_PIXELS = 150_000_000
# The stored form of a picture: sharp on a large screen, and small text stays legible.
MAX_IMAGE_SIDE_PX = 2048
# A rendered page: A4 at about 140 dpi, where 8-point text is legible to people and to OCR.
MAX_PAGE_SIDE_PX = 1600
# OCR slows with the square of the side, and PP-OCR finds 12-pixel text: larger gains nothing.
MAX_OCR_SIDE_PX = 2000
# Figures of one part. A page made of ten thousand image tiles is a drawing, and its page picture shows it.
MAX_FIGURES = 200
# Figures of one part whose words are read: a second each, so that a picture book stays within the time.
MAX_OCR_FIGURES = 12
# Below this a picture in a document is a bullet, an icon or a rule.
MIN_FIGURE_SIDE_PX = 48
# Embedded `data:` pictures, decoded: more than any screenshot in an HTML file has.
MAX_DATA_URI_BYTES = 16 * _MIB

# --- PDF ------------------------------------------------------------------------------------------
# Pages of one part: a step of some seconds of text, or half a minute of OCR, so that a lost worker loses
# little.
PAGES_PER_PART = 10
# Longer documents are archives; the first pages are still searchable, and a warning says so.
MAX_PAGES = 3000
# Objects looked at on one page while looking for figures: vector maps have millions of paths.
MAX_PAGE_OBJECTS = 5000
# Forms inside forms inside forms: drawings nest two or three deep.
MAX_FORM_DEPTH = 4

# --- Office files and books -------------------------------------------------------------------------------------
# Parts of one document: a slide has four or five, so a thousand slides with their pictures fit.
MAX_ZIP_ENTRIES = 20_000
# All parts unpacked: presentations carry videos, which are stored as they are and never opened.
MAX_UNPACKED_BYTES = 2048 * _MIB
# The parts that become text: the largest sheets people keep are some hundred megabytes of XML, read as a stream.
MAX_UNPACKED_MARKUP_BYTES = 512 * _MIB
# One part parsed as a tree, which takes five to ten times its bytes: a book in one file has ten megabytes.
MAX_TREE_BYTES = 64 * _MIB
# One part read whole, an embedded picture among them.
MAX_MEMBER_BYTES = 128 * _MIB
# An RTF file with its pictures, which it spells in hexadecimal digits.
MAX_RTF_BYTES = 64 * _MIB
# Slides or sheets; a presentation of more is a mistake of the program that made it.
MAX_SLIDES = 2000
MAX_SHEETS = 500
# Rows with something in them of one sheet or table file: they answer what a sheet is about. A hundred
# thousand rows are a database, whose every row would stand beside documents in the results.
MAX_ROWS = 20_000
# Cells of one file. Columns of a row: readable tables have dozens.
MAX_CELLS = 500_000
MAX_COLUMNS = 200
# Slides group shapes in groups, and Word puts text boxes into text boxes: two or three deep.
MAX_NESTING = 12
# Records of a JSON file, or elements of an XML file, that are looked at.
MAX_NODES = 1_000_000

# An argument of a LaTeX command: an author list or a long footnote, not half the document behind a lost bracket.
MAX_LATEX_ARGUMENT = 50_000

# --- Conversion -------------------------------------------------------------------------------------------------
# LibreOffice 7.4 turned a hundred pages of text into PDF in five seconds on two busy cores, within one gibibyte of
# address space: these are many times its time and twice its memory. Its profile and libraries are many small files.
CONVERSION = Limits(
    wall_s=180,
    cpu_s=120,
    memory_bytes=2048 * _MIB,
    scratch_bytes=512 * _MIB,
    open_files=512,
    scratch_files=5000,
)

# --- Recordings -----------------------------------------------------------------------------------
# Media time of one part: about a minute of work, so that several workers share an hour, and memory does not grow
# with the length.
SECONDS_PER_PART = 300
# A whole working day and its night shift: longer ones are surveillance. Their beginning is still searchable.
MAX_RECORDING_S = 12 * 3600
# Width × height of one frame. 8K passes; a decoder holds up to sixteen such frames, and the memory limit has the
# last word.
MAX_FRAME_PIXELS = 8192 * 4320
# Frames looked at for each second of a video. Cuts are then found to an eighth of a second.
SAMPLES_PER_S = 8
# Pixels a second up to which every frame that others build on is decoded (full HD at 60); above, keyframes only:
# a core decodes about 300 million such pixels a second, and a part has to end within its time.
MAX_DECODED_PIXELS_PER_S = 1920 * 1080 * 60
# A shorter shot is a flash; a longer one is cut, since a hit must point at a moment.
MIN_SHOT_MS = 1000
MAX_SHOT_MS = 30_000
# Keyframes of one part whose words are read, those of the longest shots: text that is meant to be read stays.
MAX_OCR_SHOTS = 40
# Of a stored keyframe: a laptop's player is no wider.
MAX_KEYFRAME_SIDE_PX = 1280
# Frames that fail to decode before the rest of a part is given up: each costs time and yields nothing.
MAX_BROKEN_FRAMES = 500
# Lines of subtitles in all: a day of speech has thirty thousand.
MAX_CUES = 100_000
# Windows of speech, each several lines.
MAX_SPEECH_LINES = 50_000
# A subtitle file of a day of speech has three megabytes.
MAX_SUBTITLE_BYTES = 20 * _MIB

# --- Files inside files ---------------------------------------------------------------------------
# A picture in a message in a mailbox in an archive in a message is four deep. What unpacks to itself ends here, too.
MAX_DEPTH = 5
# Of one file, and of everything inside of everything inside of it: a full mailbox passes, ten billion zeros do not.
MAX_ARCHIVE_BYTES = 4096 * _MIB
# The largest that a site accepts as an upload of its own, unless it sets KB_MAX_UPLOAD_BYTES otherwise.
MAX_ARCHIVE_FILE_BYTES = 1024 * _MIB
# Entries of one file: a source tree with its packages has as many, and nobody searches its last ones.
MAX_MEMBERS = 10_000
# Everything inside of everything inside of one uploaded file.
MAX_TREE_MEMBERS = 20_000
# Above this an archive is a bomb. Logs and tables shrink to a hundredth; zeros to a thousandth in one layer of
# deflate, to less in others.
MAX_RATIO = 250
# Below this nobody is harmed by the ratio: a small archive of one blank sheet is legitimate.
MIN_BOMB_BYTES = 64 * _MIB
# A step of seconds, whose files fit a small disk twice.
MEMBERS_PER_PART = 200
MEMBER_BYTES_PER_PART = 256 * _MIB
# Entry names told in the archive's own text, by which it is found.
MAX_NAMES_LISTED = 2000
# Of an entry's name, as in Asset.source_uri; longer ones are made by programs that test programs.
MAX_MEMBER_NAME = 900

# --- Messages -------------------------------------------------------------------------------------
# A message in memory: parsed it takes its size four times. Servers carry 25 to 150 MB.
MAX_MESSAGE_BYTES = 256 * _MIB
# Addresses told of one header: a message to the whole company is not about its receivers.
MAX_ADDRESSES = 50

# --- Answer ---------------------------------------------------------------------------------------
MAX_OCR_LINES = 2000
MAX_WARNINGS = 100
# Of the parser's own output that goes to the log when it crashes.
LOG_TAIL_BYTES = 4 * _KIB
