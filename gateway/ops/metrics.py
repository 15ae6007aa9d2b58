"""Figures for Prometheus. Labels are from closed sets of our own words: never a party's text, never personal data."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter("tongban_requests", "HTTP 请求数 requests", ["listener", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "tongban_request_seconds", "HTTP 处理时间 time to answer", ["listener"], registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
TAKEN = Counter("tongban_taken", "收入的报文数 messages taken in", ["source", "outcome"], registry=REGISTRY)
CERTIFICATES = Counter("tongban_certificate_acts", "电子证照行为数 acts on certificates of ours", registry=REGISTRY)
COMMITS = Gauge("tongban_commits", "提交次数 group commits", registry=REGISTRY)
WORKS = Gauge("tongban_works", "提交内的工作数 works committed", registry=REGISTRY)
LEDGER_SIZE = Gauge("tongban_ledger_size", "账本叶数 leaves", registry=REGISTRY)
OUTBOX = Gauge("tongban_outbox", "待办投递数 deliveries", ["state"], registry=REGISTRY)
OLDEST_SECONDS = Gauge("tongban_outbox_oldest_seconds", "最久未送达 age of the oldest open delivery", registry=REGISTRY)
CONTENT = Counter("tongban_content", "材料查看结果 what was found in files", ["found"], registry=REGISTRY)
UPLOADS_AVOIDED = Gauge(
    "tongban_uploads_avoided", "免证：由电子证照代替的材料 materials not uploaded", registry=REGISTRY
)
FIELDS_FILLED = Gauge("tongban_fields_filled", "免填：由电子证照填写的字段 form fields filled", registry=REGISTRY)
ALARMS = Counter("tongban_alarms", "告警数 alarms", ["name"], registry=REGISTRY)
SIGNING = Gauge("tongban_software_keys", "软件密钥（1 = 不满足密评）software keys in use", registry=REGISTRY)
