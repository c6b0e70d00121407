import { useEffect } from 'react';
import { go } from './route';

/** Where `g` and another key lead. */
export const places: Readonly<Record<string, string>> = {
  o: 'overview',
  j: 'jobs',
  s: 'supply',
  n: 'network',
  l: 'ledger',
  k: 'keys',
};

const chordMs = 1500;

/** What a key press asks for, given the one before it; null when it is not ours. */
export function readShortcut(
  key: string,
  isAfterG: boolean,
): { kind: 'go'; page: string } | { kind: 'search' | 'help' | 'chord' | 'rows' } | null {
  const page = places[key];
  if (isAfterG) return page ? { kind: 'go', page } : null;
  if (key === 'g') return { kind: 'chord' };
  if (key === '/') return { kind: 'search' };
  if (key === '?') return { kind: 'help' };
  if (key === 'ArrowDown') return { kind: 'rows' };
  return null;
}

/** Listens for the shortcuts of the console while nobody is typing and no dialog is open. */
export function useShortcuts(onHelp: () => void, onRows: () => void): void {
  useEffect(() => {
    let chordUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return;
      const found = readShortcut(event.key, Date.now() < chordUntil);
      chordUntil = 0;
      if (!found) return;
      if (found.kind === 'rows' && event.target !== document.body) return;
      event.preventDefault();
      if (found.kind === 'chord') chordUntil = Date.now() + chordMs;
      else if (found.kind === 'go') go(found.page);
      else if (found.kind === 'help') onHelp();
      else if (found.kind === 'rows') onRows();
      else document.querySelector<HTMLInputElement>('input[data-search]')?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [onHelp, onRows]);
}

function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector('.ant-modal-wrap:not([style*="display: none"])')) return true;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
