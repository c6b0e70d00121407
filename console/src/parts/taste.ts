import { useSyncExternalStore } from 'react';

const dark = matchMedia('(prefers-color-scheme: dark)');
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** True when the system asks for dark colours. */
export const useDark = (): boolean => useQuery(dark);

/** True when the system asks for as little movement as possible. */
export const useStill = (): boolean => useQuery(still);

function useQuery(query: MediaQueryList): boolean {
  return useSyncExternalStore(
    (changed) => {
      query.addEventListener('change', changed);
      return () => query.removeEventListener('change', changed);
    },
    () => query.matches,
  );
}
