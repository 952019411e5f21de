"""Owns the tables of documents: orders, payments, waybills, cancellations, returns, receipts and tax bills.

Uses `store`.
Begin with `known`.
"""
