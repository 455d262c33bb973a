"""The reports service: totals of a CSV file by month."""

import pandas
from flask import Flask, jsonify

application = Flask(__name__)


@application.get("/health")
def health():
    return "ok"


@application.get("/totals")
def totals():
    sales = pandas.read_csv("/data/sales.csv", parse_dates=["day"])
    by_month = sales.groupby(sales["day"].dt.to_period("M"))["amount"].sum()
    return jsonify({str(month): float(amount) for month, amount in by_month.items()})
