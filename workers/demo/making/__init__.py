"""Draws the demo library's pictures and sets its PDFs. A development tool: nothing here runs in the product."""
