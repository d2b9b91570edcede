/** Words for operators about an error of a store. */

/** Advice, for known errors. */
export const explained = (error: unknown): string => {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return `${message}. The file is damaged: restore it, or move it away.`;
  if (/^(SQLITE_READONLY|SQLITE_CANTOPEN|EACCES|EROFS)/.test(code))
    return `${message}. This process needs to write there.`;
  if (/^(SQLITE_FULL|ENOSPC|53100)/.test(code)) return `${message}. The disk is full.`;
  return message;
};

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');
