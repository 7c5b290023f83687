"""Small programs as people write them, with what interceptor makes of each.

Every story is a module that can be read by itself: the tree that it makes, functions of which some
are observed, and calls to Mistral with no line around them. They stand among the tests, and not in
a folder of examples, because they are run against recorded answers with each release line of the
SDK: what they show is so.

A story's `tell` is given a client, `Mistral(api_key=..., **interceptor.clients())`, and gives what
the program would print.
"""
