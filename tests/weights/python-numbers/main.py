import pandas

print(pandas.DataFrame({"a": [1]}).sum())
