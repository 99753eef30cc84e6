"""How are the demo library's pictures drawn and its PDFs set? Development tools: the product runs none."""
