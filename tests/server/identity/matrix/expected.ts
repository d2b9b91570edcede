/** What comes of it: a line for each kind of access, a column for each caller. See `Outcome` and `Access`. */
export const expected: Readonly<Record<string, string>> = {
  'a server that verifies tokens and has an operator key, behind a proxy': `
           stranger  guest  otherGuest  owner  other  operator  page  pageByKey  browser  foreignPage  foreignHost  wrongKey  localhost  expired  foreignIssuer  noExpiry  forged  unsigned  malformed  cookie  apiKey  basic  hidden
everybody       yes    yes         yes    yes    yes       yes   yes        yes      yes          yes          421       yes        yes      yes            yes       yes     yes       yes        yes     yes     yes    yes     yes
owner           404    404         404    yes    404       yes   yes        yes      404          404          421       404        404      401            401       401     401       401        401     404     404    404     404
starter         yes    yes         yes    yes    yes       yes   yes        yes      yes          yes          421       yes        yes      401            401       401     401       401        401     yes     yes    yes     yes
user            401    401         401    yes    yes       401   401        yes      401          401          421       401        401      401            401       401     401       401        401     yes     yes    yes     yes
guest           404    yes         404    404    404       404   404        404      404          404          421       404        404      401            401       401     401       401        401     404     404    404     404
lister          404    404         404    yes    yes       yes   yes        yes      404          404          421       404        404      401            401       401     401       401        401     yes     yes    yes     yes
absent          404    404         404    404    404       404   404        404      404          404          421       404        404      404            404       404     404       404        404     404     404    404     404
follower        401    401         401    yes    yes       yes   yes        yes      401          401          421       401        401      401            401       401     401       401        401     yes     yes    yes     yes
operator        403    403         403    403    403       yes   yes        yes      403          403          421       403        403      401            401       401     401       401        401     403     403    403     403
monitor         403    403         403    403    403       yes   403        403      403          403          421       403        403      403            403       403     403       403        403     403     403    403     403
page            403    403         403    403    403       yes   yes        yes      yes          403          421       403        403      403            403       403     403       403        403     403     403    403     403
signIn          403    403         403    403    403       403   403        403      403          403          421       403        403      403            403       403     403       403        403     403     403    403     403
writer          401    401         401    yes    yes       yes   yes        yes      401          403          421       401        401      401            401       401     401       401        401     yes     yes    yes     yes
talker          404    404         404    yes    404       404   404        404      404          403          421       404        404      404            404       404     404       404        404     404     404    404     404
says            yes    yes         yes    yes    yes       yes   yes        yes      yes          403          421       yes        yes      401            401       401     401       401        401     yes     yes    yes     yes
renamed         404    404         404    yes    404       404   404        404      404          403          421       404        404      404            404       404     404       404        404     404     404    404     404
saysOwn         401    401         401    yes    yes       401   401        yes      401          403          421       401        401      401            401       401     401       401        401     yes     yes    yes     yes
watcher         403    403         403    403    403       yes   yes        yes      yes          403          421       403        403      403            403       403     403       403        403     403     403    403     403
`,
  'a server on this machine without a key': `
           stranger  guest  otherGuest  owner  bearer  other  page  forwarded  tunnelled  plainProxy  foreignPage  sibling  rebound  anyKey  jwt
everybody       yes    yes         yes    yes     yes    yes   yes        yes        yes         yes          yes      yes      421     yes  yes
owner           404    404         404    yes     yes    404   yes        404        404         404          404      404      421     404  401
starter         yes    yes         yes    yes     yes    yes   yes        yes        yes         yes          yes      yes      421     yes  401
user            401    401         401    yes     yes    yes   401        401        401         401          401      401      421     401  401
guest           404    yes         404    404     404    404   404        404        404         404          404      404      421     404  401
lister          404    404         404    yes     yes    yes   yes        404        404         404          404      404      421     404  401
absent          404    404         404    404     404    404   404        404        404         404          404      404      421     404  404
follower        401    401         401    yes     yes    yes   yes        401        401         401          401      401      421     401  401
operator        403    403         403    403     403    403   yes        403        403         403          403      403      421     403  401
monitor         yes    yes         yes    yes     yes    yes   yes        403        403         403          403      403      421     yes  yes
page            yes    yes         yes    yes     yes    yes   yes        403        403         403          403      403      421     yes  yes
signIn          403    403         403    403     403    403   403        403        403         403          403      403      421     403  403
writer          yes    yes         yes    yes     yes    yes   yes        yes        yes         yes          403      yes      421     yes  401
talker          404    404         404    yes     yes    404   404        404        404         404          403      404      421     404  404
says            yes    yes         yes    yes     yes    yes   yes        yes        yes         404          403      yes      421     yes  401
renamed         404    404         404    yes     yes    404   404        404        404         404          403      404      421     404  404
saysOwn         401    401         401    yes     yes    yes   401        401        401         404          403      401      421     401  401
watcher         yes    yes         yes    yes     yes    yes   yes        403        403         404          403      403      421     yes  yes
`,
  'a server whose proxy names the user': `
           owner  other  missing  empty  blank  repeated  apiKey  operator  userWithKey  wrongKey  page
everybody    yes    yes      yes    yes    yes       yes     yes       yes          yes       yes   yes
owner        yes    404      401    401    401       401     401       yes          yes       401   yes
starter      yes    yes      401    401    401       401     401       yes          yes       401   yes
user         yes    yes      401    401    401       401     401       401          yes       401   401
guest        yes    404      401    401    401       401     401       404          404       401   404
lister       yes    yes      401    401    401       401     401       yes          yes       401   yes
absent       404    404      404    404    404       404     404       404          404       404   404
follower     yes    yes      401    401    401       401     401       yes          yes       401   yes
operator     403    403      401    401    401       401     401       yes          yes       401   yes
monitor      403    403      403    403    403       403     403       yes          yes       403   403
page         403    403      403    403    403       403     403       yes          yes       403   yes
signIn       403    403      403    403    403       403     403       403          403       403   403
writer       yes    yes      401    401    401       401     401       yes          yes       401   yes
talker       yes    404      401    401    401       401     401       404          404       401   404
says         yes    yes      401    401    401       401     401       yes          yes       401   yes
renamed      yes    401      401    401    401       401     401       401          401       401   401
saysOwn      yes    yes      401    401    401       401     401       401          yes       401   401
watcher      403    403      403    403    403       403     403       yes          yes       403   yes
`,
};
