"""What is the difference between two runs worth? As a table and as JSON."""

from dataclasses import asdict

from retrieval.evaluation_runs import Comparison


def comparison_table(names: tuple[str, str], found: Comparison) -> str:
    lines = [
        f"| section | measure | {names[0]} | {names[1]} | difference | p |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {item.section} | {item.measure} | {item.first:.3f} | {item.second:.3f} |"
            f" {item.difference:+.3f} ({item.low:+.3f} to {item.high:+.3f}) | {item.p:.4f} |"
            for item in found.differences
        ),
    ]
    if found.only_in_one:
        lines += ["", f"Only in one of the two, and left out: {', '.join(found.only_in_one)}."]
    if found.unpaired_queries:
        lines += ["", f"{found.unpaired_queries} queries are in one of the two only, and were left out."]
    return "\n".join(lines) + "\n"


def comparison_figures(found: Comparison) -> dict[str, object]:
    return {
        "differences": [
            {name: value if isinstance(value, str) else round(value, 6) for name, value in fields.items()}
            for fields in (asdict(item) | {"difference": item.difference} for item in found.differences)
        ],
        "only_in_one": list(found.only_in_one),
        "unpaired_queries": found.unpaired_queries,
    }
