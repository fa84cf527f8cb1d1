# Run by cpack when everything is installed below CPACK_TEMPORARY_INSTALL_DIRECTORY: adds what only a package has, and
# moves and compresses what Debian wants so.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(documents ${root}/usr/share/doc/linkrunnerd)

# Not file(INSTALL): DESTDIR is set here, and would be put in front.
file(COPY ${CPACK_LINKRUNNER_PACKAGING}/linkrunnerd.yaml DESTINATION ${root}/etc/linkrunnerd)
file(COPY ${CPACK_LINKRUNNER_PACKAGING}/copyright DESTINATION ${documents})
file(COPY_FILE ${CPACK_LINKRUNNER_CHANGELOG} ${documents}/changelog.Debian)
file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
file(COPY_FILE ${CPACK_LINKRUNNER_PACKAGING}/lintian-overrides ${root}/usr/share/lintian/overrides/linkrunnerd)

# bookworm's place for units, whether or not /lib is a link.
file(MAKE_DIRECTORY ${root}/lib)
file(RENAME ${root}/usr/lib/systemd ${root}/lib/systemd)
file(REMOVE_RECURSE ${root}/usr/lib)

file(GLOB pages ${root}/usr/share/man/*/*)
execute_process(COMMAND gzip -9n ${pages} ${documents}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
