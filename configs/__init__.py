"""What can be set without touching code: pipeline, capacities, risks, foreign tables, reference tables.

`reference` uses `loader`, which reads files into the objects of `schema`; these use `language`, `messages`
and `yaml_file`, and all of them `errors`. The five single modules stay beside the two rooms: documents import
`configs.loader`, and each is a subject of its own.
"""
