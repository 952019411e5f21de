"""Owns how an XML file of any size is read: its encoding, the messages in it, their documents and fields.

Uses `reading`, for what a format of messages declares.
Begin with `xml_reader`, then `xml_cutter`.
"""
