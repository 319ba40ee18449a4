import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/** False on the server and until React has taken over the page. Forms stay disabled that long, so
 * that an early submit does not reload the page. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
