# The Debian package: settings of cpack, which daemon/package.sh calls. The units to enable: ${unit_names}.
set(LINKRUNNER_DEBIAN_REVISION 1 CACHE STRING "what follows the version in the package's: the same version packed anew")
# Who answers for the package, by Debian's variables. The address that it has otherwise is nobody's.
set(maintainer "linkrunnerd authors <authors@linkrunnerd.invalid>")
if(DEFINED ENV{DEBEMAIL} AND DEFINED ENV{DEBFULLNAME})
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()

set(debian ${PROJECT_BINARY_DIR}/debian)
set(debian_version ${PROJECT_VERSION}-${LINKRUNNER_DEBIAN_REVISION})
string(TIMESTAMP debian_date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, if that is set
list(JOIN unit_names " " debian_units)
foreach(file postinst prerm postrm changelog)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${file} ${debian}/${file} @ONLY)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME linkrunnerd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${LINKRUNNER_DEBIAN_REVISION})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${maintainer}")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE https://docs.linkrunner.io)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "durable forwarder of events to the Linkrunner capture API
Backend services hand their events to linkrunnerd over local HTTP or a Unix
socket and get the answer when the event is on disk. It delivers every one of
them to the Linkrunner API at the pace that the API allows, through rate
limits, outages, restarts and power cuts.
.
The package holds the daemon, linkrunnerctl to see and change what it does,
and linkrunner-sandbox, a fake of the API for staging and tests.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${debian}/postinst ${debian}/prerm ${debian}/postrm ${CMAKE_CURRENT_LIST_DIR}/conffiles)

# For stage.cmake.
set(CPACK_LINKRUNNER_PACKAGING ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_LINKRUNNER_CHANGELOG ${debian}/changelog)
include(CPack)
