"""Owns models of goods, fitted on lines of all kinds without any label: what such goods cost and weigh, and
under which heading they go.

Uses `models.text`.
Begin with `goods_model`.
"""
