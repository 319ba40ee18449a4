import Link from "next/link";
import styles from "@/components/notice.module.css";

export default function NotFound() {
  return (
    <main className={styles.page}>
      <h1>There is nothing at this address</h1>
      <p>
        <Link href="/todos">Go to your todos</Link>
      </p>
    </main>
  );
}
