"""A small OpenAI-compatible server for tests: no model, fixed answers, real HTTP.

It answers POST .../chat/completions as OpenAI documents it (tool calls included), checks what it
is sent as strictly as OpenAI does, and fails on demand. The failure is named by the API key
(`sk-test-429`) or by the model (`test-429`):

    401, 402, 403, 404, 429, 500, 503   that status with OpenAI's error body
    timeout                             no answer for LLM_TEST_DELAY_SECONDS (default 120)
    slow                                an answer after LLM_TEST_SLOW_SECONDS (default 2)
    nowhere                             404 without a body, as from a server that is no API
    garbage                             200 with a body that is no JSON
    empty                               200 with a completion without choices
    badargs                             a tool call whose arguments are no JSON
    invent                              a tool call for an id that doesn't exist
    unknown                             a call of a tool that was not offered
    loop                                list_todos again and again, never a final answer

A model named `gemini...` gets a thought signature with each tool call and must send it back.
Any other key that starts with `sk-test` is accepted. Standard library only.
"""

import hashlib
import json
import os
import re
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = ("timeout", "slow", "nowhere", "garbage", "empty", "badargs", "invent", "unknown", "loop")
STATUSES = {
    401: ("invalid_api_key", "Incorrect API key provided."),
    402: ("insufficient_credits", "Insufficient credits."),
    403: ("permission_denied", "You do not have access."),
    404: ("model_not_found", "The model does not exist."),
    429: ("rate_limit_exceeded", "Rate limit reached."),
    500: ("server_error", "The server had an error."),
    503: ("overloaded", "The engine is overloaded."),
}
MAX_BODY = 1024 * 1024
INVENTED_ID = "00000000-0000-4000-8000-000000000000"


class BadRequest(Exception):
    """The request is not one that OpenAI would take."""


def fault_of(key, model):
    """The fault that the key or the model asks for, or None."""
    for name in (key, model):
        last = name.rsplit("-", 1)[-1]
        if name.startswith(("sk-test-", "test-")) and (
            last in FAULTS or (last.isdecimal() and int(last) in STATUSES)
        ):
            return last
    return None


def check(body):
    """Refuse what OpenAI refuses: above all a tool call without its result."""
    if not isinstance(body.get("model"), str) or not isinstance(body.get("messages"), list):
        raise BadRequest("model and messages are required")
    if body.get("stream"):
        raise BadRequest("this server does not stream")
    waiting = set()
    users = [n for n, m in enumerate(body["messages"]) if m.get("role") == "user"]
    last_user = users[-1] if users else -1
    for number, message in enumerate(body["messages"]):
        role, content = message.get("role"), message.get("content")
        where = f"messages[{number}]"
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                raise BadRequest(f"{where}: no preceding tool call with that id")
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            raise BadRequest(f"{where}: tool calls without a response: {sorted(waiting)}")
        if role not in ("system", "developer", "user", "assistant"):
            raise BadRequest(f"{where}: unknown role")
        calls = message.get("tool_calls") or []
        if not calls and not isinstance(content, str):
            raise BadRequest(f"{where}: content is required")
        for call in calls:
            json.loads(call["function"]["arguments"])
            waiting.add(call["id"])
            signature = (call.get("extra_content") or {}).get("google", {}).get("thought_signature")
            if not body["model"].startswith("gemini") and "extra_content" in call:
                raise BadRequest(f"{where}: unknown parameter: extra_content")
            # As Gemini does: only the calls since the user's last message have to carry theirs.
            current = number > last_user
            if body["model"].startswith("gemini") and current and signature != sign(call["id"]):
                raise BadRequest(f"{where}: missing thought_signature")
    if waiting:
        raise BadRequest(f"tool calls without a response: {sorted(waiting)}")


def sign(call_id):
    """The signature that this server gives a call."""
    return hashlib.sha256(call_id.encode()).hexdigest()[:24]


def decide(body, fault):
    """The next message: (text, [(tool, arguments)])."""
    messages = body["messages"]
    offered = {tool["function"]["name"] for tool in body.get("tools", [])}
    start = max(
        (n for n, m in enumerate(messages) if m["role"] == "user" and not is_answer(m)),
        default=None,
    )
    if start is None:
        return "Test model: say something.", []
    wish = messages[start]["content"].strip()
    names = {
        call["id"]: call["function"]["name"]
        for message in messages[start:]
        for call in message.get("tool_calls") or []
    }
    results = [
        (names[message["tool_call_id"]], json.loads(message["content"]))
        for message in messages[start:]
        if message["role"] == "tool"
    ]
    if fault == "loop":
        return "", [("list_todos", {})]
    if not results and fault == "invent":
        return "", [("complete_todo", {"id": INVENTED_ID})]
    if not results and fault == "unknown":
        return "", [("drop_database", {})]
    text, calls = plan(wish, results)
    missing = [name for name, _ in calls if name not in offered]
    if missing:
        return f"Test model: I was not offered {missing[0]}.", []
    return text, calls


def is_answer(message):
    """Whether a user message is only a yes or no."""
    return message["content"].strip().lower().rstrip(".!") in ("yes", "no", "ok")


def plan(wish, results):
    """One step towards the wish, given the results so far."""
    failed = [
        result["error"] for _, result in results if isinstance(result, dict) and "error" in result
    ]
    if failed:
        return f"Test model: that failed: {failed[-1]}", []
    last = results[-1] if results else None
    if match := re.match(r"add (.+)", wish, re.I | re.S):
        titles = [part.strip() for part in match[1].split(" and ")]
        if last:
            added = ", ".join(result["title"] for _, result in results)
            return f"Test model: added {added}.", []
        return "", [("add_todo", {"title": title}) for title in titles]
    if match := re.match(r"(complete|delete) (.+)|(rename) (.+) to (.+)", wish, re.I | re.S):
        verb = (match[1] or match[3]).lower()
        subject = (match[2] or match[4]).strip()
        if not last:
            return "", [("list_todos", {"filter": "all"})]
        if last[0] == "list_todos":
            found = [t for t in last[1]["todos"] if subject.lower() in t["title"].lower()]
            if not found:
                return f"Test model: there is no todo like {subject}.", []
            if verb == "rename":
                return "", [("update_todo", {"id": found[0]["id"], "title": match[5].strip()})]
            return "", [(f"{verb}_todo", {"id": todo["id"]}) for todo in found]
        if any("refused" in result for _, result in results):
            return "Test model: fine, I left it.", []
        return f"Test model: {verb}d.", []
    if re.match(r"(list|show|what)", wish, re.I):
        if not last:
            return "", [("list_todos", {"filter": "open" if "open" in wish else "all"})]
        titles = [f"{t['title']}{' (done)' if t['completed'] else ''}" for t in last[1]["todos"]]
        return f"Test model: {len(titles)} todos: {'; '.join(titles)}", []
    return f"Test model: you said: {wish}", []


def completion(body, fault):
    """The response body of a completion."""
    text, calls = decide(body, fault)
    seed = json.dumps(body["messages"], sort_keys=True).encode()
    digest = hashlib.sha256(seed).hexdigest()[:16]
    message = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = []
        for number, (name, arguments) in enumerate(calls):
            call_id = f"call_{digest}_{number}"
            call = {
                "id": call_id,
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": "{nope" if fault == "badargs" else json.dumps(arguments),
                },
            }
            if body["model"].startswith("gemini"):
                call["extra_content"] = {"google": {"thought_signature": sign(call_id)}}
            message["tool_calls"].append(call)
    finish = "tool_calls" if calls else "stop"
    choices = [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}]
    return {
        "id": f"chatcmpl-{digest}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [] if fault == "empty" else choices,
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"status": "ok"})
        else:
            self.fail(404, "not_found", "There is nothing here.")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return self.fail(413, "too_large", "The body is too large.")
        raw = self.rfile.read(length)
        if not self.path.endswith("/chat/completions"):
            return self.fail(404, "not_found", f"Unknown path {self.path}.")
        try:
            body = json.loads(raw)
            model = body.get("model", "")
        except (ValueError, AttributeError):
            return self.fail(400, "invalid_request_error", "The body is not a JSON object.")
        scheme, _, key = (self.headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or not key.startswith("sk-test"):
            return self.fail(401, *STATUSES[401])
        fault = fault_of(key, str(model))
        if fault and fault.isdecimal():
            return self.fail(int(fault), *STATUSES[int(fault)])
        if fault == "timeout":
            time.sleep(float(os.environ.get("LLM_TEST_DELAY_SECONDS", "120")))
        if fault == "slow":
            time.sleep(float(os.environ.get("LLM_TEST_SLOW_SECONDS", "2")))
        if fault == "nowhere":
            return self.answer(404, None, raw=b"")
        if fault == "garbage":
            return self.answer(200, None, raw=b"<html>not what you asked for</html>")
        try:
            check(body)
            answer = completion(body, fault)
        except (BadRequest, KeyError, TypeError, ValueError) as error:
            return self.fail(400, "invalid_request_error", str(error))
        return self.answer(200, answer)

    def fail(self, status, code, message):
        error = {"message": message, "type": code, "param": None, "code": code}
        self.answer(status, {"error": error})

    def answer(self, status, body, raw=None):
        data = raw if raw is not None else json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if body is None else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up, as in a test of its timeout

    def log_message(self, template, *arguments):
        if self.path != "/healthz":
            print(template % arguments, flush=True)


def serve(port):
    """A listening server; call serve_forever on it."""
    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)
    server.daemon_threads = True
    return server


def main():
    server = serve(int(os.environ.get("PORT", "8080")))
    # shutdown() waits for serve_forever, which runs in this thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print("llm-test-server: listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
