"use client";

import styles from "@/components/notice.module.css";

/** A page that could not be made, most often because the database does not answer. */
export default function ErrorPage({ reset }: { reset: () => void }) {
  return (
    <main className={styles.page}>
      <h1>This page cannot be shown right now</h1>
      <p role="alert">The server could not read your session. It may still be starting.</p>
      <button type="button" className="button primary" onClick={reset}>
        Try again
      </button>
    </main>
  );
}
