import { isRecord } from "@/lib/api";
import type { ToolCall, ToolStatus } from "@/lib/types";
import styles from "./tool-calls.module.css";

interface Props {
  calls: readonly ToolCall[];
  disabled: boolean;
  onAnswer: (id: string, approve: boolean) => void;
}

const STATES: Record<ToolStatus, string> = {
  done: "done",
  needs_confirmation: "waits for you",
  refused: "not confirmed",
  error: "failed",
};

/** What the assistant did, call by call, with the question where it has to wait. */
export function ToolCalls({ calls, disabled, onAnswer }: Props) {
  return (
    <ul className={styles.list} aria-label="Tool calls">
      {calls.map((call) => (
        <li key={call.id} className={styles.call} data-status={call.status}>
          <details>
            <summary>
              <code>{call.name}</code>
              {subject(call) !== null && <span> “{subject(call)}”</span>}{" "}
              <span className={styles.state}>{STATES[call.status]}</span>
            </summary>
            <dl className={styles.details}>
              <dt>Arguments</dt>
              <dd>
                <pre tabIndex={0}>{JSON.stringify(call.arguments, null, 2)}</pre>
              </dd>
              {call.result !== null && call.result !== undefined && (
                <>
                  <dt>Result</dt>
                  <dd>
                    <pre tabIndex={0}>{JSON.stringify(call.result, null, 2)}</pre>
                  </dd>
                </>
              )}
            </dl>
          </details>
          {call.status === "needs_confirmation" && (
            <div className={styles.question} role="group" aria-label={`Confirm ${call.name}`}>
              <button
                type="button"
                className="button danger small"
                disabled={disabled}
                onClick={() => onAnswer(call.id, true)}
              >
                {call.name === "delete_todo" ? "Delete it" : "Confirm"}
              </button>
              <button
                type="button"
                className="button small"
                disabled={disabled}
                onClick={() => onAnswer(call.id, false)}
              >
                {call.name === "delete_todo" ? "Keep it" : "Cancel"}
              </button>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The title of the todo that a call is about, where the call says it. */
function subject(call: ToolCall): string | null {
  const result = isRecord(call.result) ? call.result : {};
  for (const source of [call.arguments, result, result.deleted]) {
    if (isRecord(source) && typeof source.title === "string" && source.title !== "") {
      return source.title;
    }
  }
  return null;
}
